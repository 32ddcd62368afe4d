// The response to a method that a resource does not support.

import type { Request } from "../request/request.ts";
import type { Response } from "./response.ts";

/** OPTIONS gets 204, all others 405, both with the methods of the resource (RFC 9110 sections 9.3.7 and 15.5.6). */
export function answerOtherMethod(req: Request, resp: Response, methods: readonly string[]): void {
  resp.setHeader("allow", [...new Set([...methods, "OPTIONS"])].join(", "));
  if (req.method === "OPTIONS") {
    resp.status = 204;
    resp.send();
  } else {
    resp.status = 405;
    resp.send("405 Method Not Allowed\n");
  }
}
