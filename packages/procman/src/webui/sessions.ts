// Who may use the web UI: whoever has had the link. A session is a signed cookie, so that nothing is kept of it here.
// It outlives the process of the UI, and ends with the leader, whose key it is signed with.

import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Request, Response } from "@hemi/hemi";
import type { UISettings } from "./calls.ts";

export class UISessions {
  readonly #token: string;
  readonly #key: Buffer;
  /** Browsers send the cookies of a host to all of its ports, so the port is in the name. */
  readonly #cookie: string;

  constructor({ token, sessionKey, port }: Pick<UISettings, "token" | "sessionKey" | "port">) {
    this.#token = token;
    this.#key = Buffer.from(sessionKey, "base64");
    this.#cookie = `hemi-ui-${port}`;
  }

  /** Opens a session if the token is that of the link. `token` may be anything. */
  open(token: unknown, resp: Response): string | undefined {
    if (typeof token !== "string" || !isSame(token, this.#token)) return undefined;
    const id = randomBytes(4).toString("hex");
    const content = `${id}.${Date.now().toString(36)}`;
    this.#setCookie(resp, `${content}.${this.#signatureOf(content)}`, {});
    return id;
  }

  /** The id of the session of a request; `undefined`: it has none that is valid. */
  idOf(req: Request): string | undefined {
    const [id = "", openedAt = "", signature = ""] = (req.cookie(this.#cookie) ?? "").split(".");
    if (!isSame(signature, this.#signatureOf(`${id}.${openedAt}`))) return undefined;
    return Date.now() - parseInt(openedAt, 36) < lifetime ? id : undefined;
  }

  close(resp: Response): void {
    this.#setCookie(resp, "", { maxAge: 0 });
  }

  #setCookie(resp: Response, value: string, options: { readonly maxAge?: number }): void {
    resp.setCookie(this.#cookie, value, { ...options, httpOnly: true, sameSite: "strict" });
  }

  #signatureOf(content: string): string {
    return createHmac("sha256", this.#key).update(content).digest("base64url");
  }
}

/** In a time that does not tell how much of it is right. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

/** In milliseconds. */
const lifetime = 24 * 3_600_000;
