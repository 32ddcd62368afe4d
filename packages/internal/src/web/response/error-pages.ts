// What stands for the engine's own pages: files, and paths of the webapp, by status or by class of statuses.

/** One of both. */
export type ErrorPage = { readonly file: string } | { readonly path: string };

/** A key of both dicts: a status, or a class of them. */
export const errorStatus = /^[45](?:\d\d|xx)$/;

export class ErrorPages {
  readonly #pages = new Map<string, ErrorPage>();

  /** `files` are absolute, `paths` are encoded, with or without a query. No key is in both. */
  constructor(files: ReadonlyMap<string, string>, paths: ReadonlyMap<string, string>) {
    for (const [status, file] of files) this.#pages.set(status, { file });
    for (const [status, path] of paths) this.#pages.set(status, { path });
  }

  /** That of the status itself goes before that of its class. */
  pageFor(status: number): ErrorPage | undefined {
    return this.#pages.get(String(status)) ?? this.#pages.get(`${Math.floor(status / 100)}xx`);
  }
}
