// What a handlet throws to give a status.

/** Thrown in a handlet, answers the request with `status`. `message` goes to the error log, never to the client. */
export class HTTPError extends Error {
  /** 400 to 599. */
  readonly status: number;
  /** Of the answer, by name: what some statuses need, such as `allow` for 405. */
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
