// The error that an app receives when the request content cannot be read, in the forms that frameworks know.

import { ExchanError, HTTPError } from "@hemi/internal";

/**
 * 408, 413 or 400. Uncaught, it gives that status. Express, Koa and Fastify read `status` or `statusCode`; Hono calls
 * `getResponse`.
 */
export class ContentFailure extends HTTPError {
  readonly statusCode: number;

  constructor(status: number, cause: ExchanError) {
    super(status, cause.message, { cause });
    this.name = "ContentFailure";
    this.statusCode = status;
  }

  getResponse(): Response {
    return new Response(null, { status: this.status });
  }
}

/** The failure in the app's form. An error about a disconnected client is returned unchanged. */
export function asContentFailure(error: unknown): unknown {
  if (!(error instanceof ExchanError)) return error;
  const status = statuses[error.code];
  return status === undefined ? error : new ContentFailure(status, error);
}

const statuses: { readonly [code: string]: number | undefined } = {
  HEMI_CONTENT_BROKEN: 400,
  HEMI_TIMEOUT: 408,
  HEMI_CONTENT_TOO_LARGE: 413,
};
