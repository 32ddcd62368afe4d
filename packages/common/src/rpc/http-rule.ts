// Paths of HTTP for procedures: the JSON door answers at them.

/** One method and path of HTTP that a procedure has, as google.api.http says it (https://google.aip.dev/127). */
export interface HttpRule {
  /** Such as `GET`; `*` for any. */
  readonly method: string;
  /** The template of its path: `/v1/{name=shelves/*}:archive`. */
  readonly path: string;
  /** The field that the content of a request is; `*` for the whole message, "" where there is no content. */
  readonly body: string;
  /** The field that the content of a response is; "" for the whole message. */
  readonly responseBody: string;
}

/**
 * A path as a declaration has it: `"GET /v1/stock/{sku}"`. Variables are fields of the input. The other fields come in
 * the query for GET, HEAD and DELETE, and as JSON for other methods.
 */
export type HttpPath =
  | string
  | {
      /** `"POST /v1/shelves/{shelf}/books"`. */
      readonly path: string;
      /** The field of the input that the content is; `*`: all that the path does not have. */
      readonly body?: string;
      /** The field of the output that the content of the response is. Default: all of it. */
      readonly responseBody?: string;
    };
