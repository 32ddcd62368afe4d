// The tasks in memory, with notification of changes.

import { EventEmitter, once } from "node:events";

export interface Task {
  readonly id: number;
  readonly text: string;
  readonly isDone: boolean;
  /** The author. */
  readonly by: string;
}

export class TaskList {
  readonly #tasks = new Map<number, Task>();
  readonly #news = new EventEmitter().setMaxListeners(0);
  readonly #maxTasks: () => number;
  #lastId = 0;
  #version = 0;

  constructor(maxTasks: () => number) {
    this.#maxTasks = maxTasks;
  }

  get all(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  find(id: number): Task | undefined {
    return this.#tasks.get(id);
  }

  /** `undefined` if the list is full. */
  add(text: string, by: string): Task | undefined {
    if (this.#tasks.size >= this.#maxTasks()) return undefined;
    return this.#put({ id: ++this.#lastId, text, isDone: false, by });
  }

  change(task: Task, changes: Partial<Pick<Task, "text" | "isDone">>): Task {
    return this.#put({ ...task, ...changes });
  }

  remove(id: number): boolean {
    const wasThere = this.#tasks.delete(id);
    if (wasThere) this.#tell();
    return wasThere;
  }

  /**
   * Yields the whole list now and after each change, until the signal aborts. Without a change for `heartbeat` ms,
   * yields the list again. A slow reader misses intermediate states: nothing is queued.
   */
  async *follow(heartbeat: number, signal: AbortSignal): AsyncGenerator<readonly Task[]> {
    while (!signal.aborted) {
      const seen = this.#version;
      yield this.all;
      if (seen !== this.#version) continue;
      const patience = AbortSignal.any([signal, AbortSignal.timeout(heartbeat)]);
      await once(this.#news, "change", { signal: patience }).catch(() => undefined);
    }
  }

  #put(task: Task): Task {
    this.#tasks.set(task.id, task);
    this.#tell();
    return task;
  }

  #tell(): void {
    this.#version++;
    this.#news.emit("change");
  }
}
