// Files in and out of the page.

/** What a text that is to be translated may have at most. */
const MAX_BYTES = 1_000_000;

export type TextFault = 'fileTooLarge' | 'fileNotText';

export type TextFile = { text: string } | { fault: TextFault };

/** Reads a file as UTF-8. */
export async function readText(file: File, maxBytes = MAX_BYTES): Promise<TextFile> {
  if (file.size > maxBytes) return { fault: 'fileTooLarge' };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer()) };
  } catch {
    return { fault: 'fileNotText' };
  }
}

/** Lets the user choose files; none where the dialog is closed. */
export function chooseFiles(accept: string, multiple = false): Promise<File[]> {
  const input = Object.assign(document.createElement('input'), { type: 'file', accept, multiple });
  return new Promise((resolve) => {
    input.addEventListener('change', () => resolve([...(input.files ?? [])]));
    input.addEventListener('cancel', () => resolve([]));
    input.click();
  });
}

/** Gives the user a file. */
export function saveText(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  // The browser reads the address after this task.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
