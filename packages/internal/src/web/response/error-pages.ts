// What stands for the engine's own pages: files, and paths of the webapp, by status or by class of statuses.

/** One of both. */
export type ErrorPage = { readonly file: string } | { readonly path: string };

/** A key of both dicts: a status, or a class of them. */
export const errorStatus = /^[45](?:\d\d|xx)$/;

/** `errorPages` are absolute, `errorPaths` are encoded, with or without a query. No key is in both. */
export interface NamedPages {
  readonly errorPages: ReadonlyMap<string, string>;
  readonly errorPaths: ReadonlyMap<string, string>;
}

export class ErrorPages {
  readonly #pages: ReadonlyMap<string, ErrorPage>;

  constructor(pages: ReadonlyMap<string, ErrorPage>) {
    this.#pages = pages;
  }

  /** Most of thousands of rules have none: they share one object. */
  static of({ errorPages: files, errorPaths: paths }: NamedPages): ErrorPages {
    if (files.size + paths.size === 0) return noPages;
    const pages = new Map<string, ErrorPage>();
    for (const [status, file] of files) pages.set(status, { file });
    for (const [status, path] of paths) pages.set(status, { path });
    return new ErrorPages(pages);
  }

  /** That of the status itself goes before that of its class. */
  pageFor(status: number): ErrorPage | undefined {
    return this.#pages.get(String(status)) ?? this.#pages.get(`${Math.floor(status / 100)}xx`);
  }
}

const noPages = new ErrorPages(new Map());
