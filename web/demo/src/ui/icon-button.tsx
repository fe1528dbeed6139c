// A button that shows an icon and is named in words.

import { Icon } from './icon.js';
import type { ComponentProps } from 'preact';

interface Props extends Omit<ComponentProps<'button'>, 'icon'> {
  icon: ComponentProps<typeof Icon>['name'];
  label: string;
}

export function IconButton({ icon, label, ...rest }: Props) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}
