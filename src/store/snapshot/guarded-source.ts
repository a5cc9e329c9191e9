/** A source of vectors or terms whose answers never come from damaged files. */
export interface GuardedSource<Source, State> {
  readonly state: State;
  source(signal?: AbortSignal): Promise<Source>;
  /** What `source` would resolve to, if that is known already. */
  readonly known: Source | undefined;
  /**
   * Whether what was read from a source is what was published. If not, `source` gives another one from now on, and the search has
   * to be repeated.
   */
  isSound(source: Source): Promise<boolean>;
  /** Compares all that is stored with what was published; replaces the source if it is damaged. */
  verify(signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** Open files, and how they are checked. */
export interface FileGuard<Source, State> {
  readonly source: Source;
  readonly state: State;
  /** Whether `isIntact` is asked at once, and the first search waits for it. */
  readonly checkFirst: boolean;
  /** Whether the mapped files have changed since they were opened. */
  hasChanged(): boolean;
  /** Whether the files have the bytes that were published. Reads all of them. */
  isIntact(signal?: AbortSignal): Promise<boolean>;
  /** Opens the files again, all bytes compared, or what is used without them; reports the new state before that is known. */
  reopen(onState: (state: State) => void): Promise<GuardedSource<Source, State>>;
  close(): void;
}

/** Files that are replaced by something else once they are damaged. */
export class GuardedFiles<Source, State> implements GuardedSource<Source, State> {
  readonly #guard: FileGuard<Source, State>;
  #state: State;
  #firstCheck: Promise<void> | undefined;
  #isChecked: boolean;
  #opening: Promise<GuardedSource<Source, State>> | undefined;
  #successor: GuardedSource<Source, State> | undefined;
  #isClosed = false;

  constructor(guard: FileGuard<Source, State>) {
    this.#guard = guard;
    this.#state = guard.state;
    this.#isChecked = !guard.checkFirst;
    // The first search waits for what is left of the check, and repeats one that failed. Files that are opened now come first.
    if (guard.checkFirst) setImmediate(() => this.#checkFirst());
  }

  #checkFirst(): void {
    if (!this.#isClosed) this.source().catch(() => {});
  }

  get state(): State {
    return this.#state;
  }

  get known(): Source | undefined {
    if (this.#opening === undefined) return this.#isChecked ? this.#guard.source : undefined;
    return this.#successor?.known;
  }

  async source(signal?: AbortSignal): Promise<Source> {
    if (!this.#isChecked) {
      this.#firstCheck ??= this.verify().then(
        () => {
          this.#isChecked = true;
        },
        (error: unknown) => {
          this.#firstCheck = undefined;
          throw error;
        },
      );
      await this.#firstCheck;
    }
    return this.#opening === undefined ? this.#guard.source : (await this.#opening).source(signal);
  }

  async isSound(source: Source): Promise<boolean> {
    if (this.#opening === undefined && this.#guard.hasChanged()) await this.#replace();
    return this.#opening === undefined ? source === this.#guard.source : (await this.#opening).isSound(source);
  }

  async verify(signal?: AbortSignal): Promise<void> {
    if (this.#opening !== undefined) await (await this.#opening).verify(signal);
    else if (!(await this.#guard.isIntact(signal)) && !this.#isClosed) await this.#replace();
  }

  close(): void {
    this.#isClosed = true;
    this.#guard.close();
    this.#successor?.close();
  }

  #replace(): Promise<GuardedSource<Source, State>> {
    const setState = (state: State): void => {
      this.#state = state;
    };
    this.#opening ??= this.#guard.reopen(setState).then(
      (opened) => {
        this.#successor = opened;
        this.#state = opened.state;
        if (this.#isClosed) opened.close();
        return opened;
      },
      (error: unknown) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }
}
