// Work that waits for a pause between its occasions: keys come faster than it is worth to keep what they wrote.

const PAUSE_MS = 300;

/**
 * A function that does `work` with the last value that it was given, once none has come for a moment, or when the page is left.
 * Values of different keys do not displace each other.
 */
export function afterPause<V>(work: (key: string, value: V) => void): (key: string, value: V) => void {
  const waiting = new Map<string, { value: V; timer: ReturnType<typeof setTimeout> }>();
  const finish = (key: string) => {
    const last = waiting.get(key);
    if (!last) return;
    clearTimeout(last.timer);
    waiting.delete(key);
    work(key, last.value);
  };
  addEventListener('pagehide', () => { for (const key of [...waiting.keys()]) finish(key); });
  return (key, value) => {
    clearTimeout(waiting.get(key)?.timer);
    waiting.set(key, { value, timer: setTimeout(finish, PAUSE_MS, key) });
  };
}
