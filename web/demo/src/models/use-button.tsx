// Takes a model into use; says where it is already.

import { folderOf } from 'hala-web';
import { texts } from '../i18n/i18n.js';
import { chosen, loadModel, type ModelChoice } from '../state/engine.js';

export function UseButton({ choice, label }: { choice: ModelChoice; label: string }) {
  const isUsed = isSame(chosen.value, choice);
  return (
    <button type="button" class="primary" disabled={isUsed} onClick={() => void loadModel(choice)}>
      {isUsed ? texts.value.inUse : label}
    </button>
  );
}

function isSame(one: ModelChoice, other: ModelChoice): boolean {
  if (one.kind === 'url' && other.kind === 'url') return folderOf(one.url).href === folderOf(other.url).href;
  return one.kind === 'built-in' && other.kind === 'built-in';
}
