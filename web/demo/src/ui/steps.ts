// Work in steps: the first at once, each later one in a task of its own, so that none of them keeps the page from what else it has to do.

export class Steps {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `step` does a bounded piece of work, and tells whether there is more. */
  constructor(readonly step: () => boolean) {}

  /** Does a step, unless one is on its way already. */
  run(): void {
    if (this.#timer !== undefined || !this.step()) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.run();
    });
  }

  /** Forgets the step that is on its way. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
