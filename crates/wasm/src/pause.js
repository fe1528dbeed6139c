// A pause that lets the worker see its messages: a message to itself comes after those that wait, and unlike a timer
// it is not slowed down where a tab is hidden.

const { port1, port2 } = new MessageChannel();
const waiting = [];
port1.onmessage = () => waiting.shift()?.();

/** Resolves once the messages that came before it were handled. */
export function pause() {
  return new Promise((resolve) => {
    waiting.push(resolve);
    port2.postMessage(null);
  });
}
