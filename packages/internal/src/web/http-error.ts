// An error that a handlet throws to respond with a status.

/** Thrown in a handlet: responds to the request with `status`. `message` goes to the error log, never to the client. */
export class HTTPError extends Error {
  /** 400 to 599. */
  readonly status: number;
  /** Response fields by name, which some statuses need: `allow` for 405. */
  readonly fields: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message?: string,
    { fields = {}, ...options }: ErrorOptions & { fields?: Readonly<Record<string, string>> } = {},
  ) {
    super(message ?? `status ${status}`, options);
    this.fields = fields;
    this.name = "HTTPError";
    this.status = status;
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`an HTTPError needs a status from 400 to 599, not ${status}`);
    }
  }
}
