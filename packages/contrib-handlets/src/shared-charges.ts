// What a limiter has let through, told to the limiters of the same path in other workers.

import type { Context } from "@hemi/internal";

export class SharedCharges {
  readonly #context: Pick<Context, "workers" | "path">;
  readonly #charge: (key: string, count: number) => void;
  /** By key, since the others were told. */
  readonly #counts = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  /** `charge` is called with what another worker has let through. */
  constructor(context: Pick<Context, "workers" | "path">, charge: (key: string, count: number) => void) {
    this.#context = context;
    this.#charge = charge;
  }

  get areShared(): boolean {
    return this.#context.workers.count > 1;
  }

  open(): void {
    const { workers } = this.#context;
    this.#unsubscribe = workers.subscribe(this.#topic, (news) => {
      if (!isNews(news)) return;
      for (const [key, count] of news) this.#charge(key, count);
    });
  }

  add(key: string): void {
    const count = this.#counts.get(key);
    if (count === undefined && this.#counts.size >= maxKeys) return;
    this.#counts.set(key, (count ?? 0) + 1);
    this.#timer ??= setTimeout(() => this.#tell(), interval).unref();
  }

  close(): void {
    this.#unsubscribe?.();
    clearTimeout(this.#timer);
  }

  get #topic(): string {
    return `limiter ${this.#context.path}`;
  }

  #tell(): void {
    this.#timer = undefined;
    const news = [...this.#counts];
    this.#counts.clear();
    for (let i = 0; i < news.length; i += maxTold) {
      this.#context.workers.broadcast(this.#topic, news.slice(i, i + maxTold));
    }
  }
}

function isNews(news: unknown): news is readonly (readonly [key: string, count: number])[] {
  return Array.isArray(news);
}

/** In milliseconds. */
const interval = 100;
/** Clients in one interval; those beyond are counted by this worker alone. */
const maxKeys = 5000;
/** In one message: a key has at most 45 characters, and a message 64 KiB. */
const maxTold = 500;
