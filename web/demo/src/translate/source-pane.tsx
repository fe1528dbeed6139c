// What is to be translated. A layer behind the text shows the sentence that is pointed at.

import { effect } from '@preact/signals';
import { directionOf } from 'hala-web';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { texts } from '../i18n/i18n.js';
import { n_characters, withoutControls } from '../text/characters.js';
import { segmentAt } from '../text/segments.js';
import { SentenceText } from '../text/sentence-text.js';
import { chooseFiles, readText, type TextFault } from '../ui/files.js';
import { IconButton } from '../ui/icon-button.js';
import { Remarks, Samples } from './remarks.js';
import { pointed, result, source, written } from './translation.js';

interface Ref<E> {
  current: E | null;
}

export function SourcePane() {
  const t = texts.value;
  const layer = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const [fault, setFault] = useState<TextFault>();
  const dir = directionOf(source.value) ?? (written.value === 'ar' ? 'rtl' : 'ltr');
  const write = (text: string) => {
    setFault(undefined);
    source.value = withoutControls(text);
  };
  const open = async (file: File | undefined) => {
    const read = file && (await readText(file));
    if (read && 'fault' in read) setFault(read.fault);
    else if (read) write(read.text);
  };
  const choose = async () => {
    const [file] = await chooseFiles('.txt,.md,text/plain,text/markdown');
    await open(file);
  };
  const clear = () => {
    write('');
    field.current?.focus();
  };
  return (
    <section
      class="pane" aria-label={t.sourceLabel} onDragOver={(event) => { if (hasFile(event)) event.preventDefault(); }}
      onDrop={(event) => { if (hasFile(event)) { event.preventDefault(); void open(event.dataTransfer?.files[0]); } }}
    >
      <div class="writing">
        <Backdrop layer={layer} field={field} dir={dir} />
        <textarea
          ref={field} aria-label={t.sourceLabel} placeholder={t.sourcePlaceholder} value={source.value} lang={written.value}
          dir={source.value ? dir : undefined} spellcheck={false}
          onInput={(event) => write(event.currentTarget.value)}
          onScroll={(event) => { if (layer.current) layer.current.scrollTop = event.currentTarget.scrollTop; }}
          onMouseMove={pointAtMouse} onMouseLeave={() => { pointed.value = undefined; }}
          onSelect={(event) => { pointed.value = segmentAt(result.value?.segments ?? [], event.currentTarget.selectionStart); }}
        />
      </div>
      {source.value === '' && <Samples />}
      <Remarks />
      {fault && <p role="alert" class="note note-error">{t[fault]}</p>}
      <footer class="pane-foot">
        <IconButton icon="open" label={t.openFile} onClick={() => void choose()} />
        {source.value && <IconButton icon="clear" label={t.clear} onClick={clear} />}
        <span class="count">{t.characters(n_characters(source.value))}</span>
      </footer>
    </section>
  );
}

/** The same text behind the field, from when its translation is there until it changes: it lies where the field's does, line by line. */
function Backdrop({ layer, field, dir }: { layer: Ref<HTMLDivElement>; field: Ref<HTMLTextAreaElement>; dir: 'rtl' | 'ltr' }) {
  useLayoutEffect(() => {
    const shown = new SentenceText(layer.current!);
    const ends = [
      effect(() => {
        if (!result.value) return;
        shown.show(source.peek());
        shown.mark(result.value.segments.map((segment) => segment.source));
      }),
      effect(() => {
        shown.point(pointed.value);
        if (pointed.value !== undefined) layer.current!.scrollTop = field.current!.scrollTop;
      }),
    ];
    return () => {
      for (const end of ends) end();
      shown.stop();
    };
  }, []);
  return <div ref={layer} class="backdrop" dir={dir} aria-hidden="true" hidden={!result.value} />;
}

/** Whether what is dragged is a file: text goes into the field as it always does. */
function hasFile(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

/** Points at the sentence under the mouse, where the browser can tell places in a text field. */
function pointAtMouse(event: MouseEvent): void {
  const place = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  if (place?.offsetNode === event.currentTarget) pointed.value = segmentAt(result.value?.segments ?? [], place.offset);
}
