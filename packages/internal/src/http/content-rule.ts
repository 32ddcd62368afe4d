// Whether a response has content: the one rule, for those who read responses and those who make them.

/**
 * Whether content can follow the head of a response, whatever its fields say: for those who read it (RFC 9110 6.4.1,
 * RFC 9112 6.3). `method` is that of the request.
 */
export function contentMayFollow(method: string, status: number): boolean {
  return method !== "HEAD" && isStatusWithContent(status);
}

/** Whether a response that we make has content. That of 205 has none, but says so by its length (RFC 9110 15.3.6). */
export function responseHasContent(method: string, status: number): boolean {
  return status !== 205 && contentMayFollow(method, status);
}

/**
 * Whether a response of this status may say how long its content is: neither 1xx nor 204 may, and 304 need not (RFC
 * 9110 8.6).
 */
export function isStatusWithContent(status: number): boolean {
  return status !== 204 && status !== 304 && status >= 200;
}
