// The tasks of a page's own thread, by the processor time that each took, which says the same on a machine that has other work: Chromium's trace of
// them, over its pipe for tools.

/** Speaks with a Chromium that was started with `--remote-debugging-pipe` and four pipes. */
class Pipe {
  #n = 0;
  #waiting = new Map();
  #events = [];
  #to;

  constructor(browser) {
    this.#to = browser.stdio[3];
    let rest = '';
    browser.stdio[4].setEncoding('utf8').on('data', (text) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop();
      for (const message of messages) this.#take(JSON.parse(message));
    });
  }

  #take({ id, method, params, result }) {
    if (method === 'Tracing.dataCollected') this.#events.push(...params.value);
    (this.#waiting.get(method ?? id) ?? (() => undefined))(result);
  }

  send(method, params = {}) {
    const id = ++this.#n;
    this.#to.write(`${JSON.stringify({ id, method, params })}\0`);
    return this.on(id);
  }

  on(name) {
    return new Promise((resolve) => { this.#waiting.set(name, resolve); });
  }

  get events() {
    return this.#events;
  }
}

/** Begins to trace. `open` opens a page; `endTrace` tells the tasks of the thread that marked `begin`, in milliseconds, before and after it did. */
export async function startTrace(browser) {
  const pipe = new Pipe(browser);
  await pipe.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel', 'devtools.timeline', 'blink.user_timing'] } });
  const open = (url) => pipe.send('Target.createTarget', { url });
  const endTrace = async () => {
    const complete = pipe.on('Tracing.tracingComplete');
    await pipe.send('Tracing.end');
    await complete;
    return tasksOf(pipe.events);
  };
  return { open, endTrace };
}

function tasksOf(events) {
  const begin = events.find(({ cat, name }) => cat === 'blink.user_timing' && name === 'begin');
  const own = events.filter(({ pid, tid, name, tdur }) => pid === begin.pid && tid === begin.tid && /RunTask$/.test(name) && tdur !== undefined);
  const times = (tasks) => tasks.map(({ tdur }) => tdur / 1000);
  return { before: times(own.filter(({ ts }) => ts < begin.ts)), after: times(own.filter(({ ts }) => ts >= begin.ts)) };
}
