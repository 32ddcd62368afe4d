// What a proxy tells a backend of the client and of itself: Via, Forwarded, X-Forwarded-*.
//
// None of it is believed when a client sends it: anyone can claim to come from anywhere. It is made anew, and only what comes from
// the addresses named as trusted is kept before it.

import type { AddressSet } from "../../component/props/addresses.ts";
import type { Request } from "../request/request.ts";

export type ForwardedForm = "both" | "x" | "standard" | "none";

/** Fields that say who the client is, by whatever custom; those that a proxy does not set itself would be the client's own claim. */
export const claimFields: readonly string[] = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
];

export class ForwardedFields {
  readonly #form: ForwardedForm;
  readonly #trusted: AddressSet;
  readonly #via: string;

  /** `pseudonym` stands for this proxy in `via` (RFC 9110 7.6.3). */
  constructor(form: ForwardedForm, trusted: AddressSet, pseudonym: string) {
    this.#form = form;
    this.#trusted = trusted;
    this.#via = pseudonym;
  }

  /** Has the request been here before? */
  isLoop(req: Request): boolean {
    return req.header("via")?.includes(this.#via) === true;
  }

  addTo(list: string[], req: Request): void {
    const { address } = req.sender;
    const isTrusted = this.#trusted.texts.length > 0 && this.#trusted.contains(address);
    list.push("via", joined(req.header("via"), `${req.version} ${this.#via}`));
    if (this.#form === "none") return;
    const { authority, scheme } = req;
    if (this.#form !== "standard") {
      if (address !== "") {
        list.push("x-forwarded-for", joined(isTrusted ? req.header("x-forwarded-for") : undefined, address));
      } else if (isTrusted) keep(list, req, "x-forwarded-for");
      const host = (isTrusted ? req.header("x-forwarded-host") : undefined) ?? authority;
      if (host !== "") list.push("x-forwarded-host", host);
      list.push("x-forwarded-proto", (isTrusted ? req.header("x-forwarded-proto") : undefined) ?? scheme);
    }
    if (this.#form !== "x") {
      const host = authority === "" ? "" : `;host="${authority}"`;
      const element = `for=${nodeName(address)}${host};proto=${scheme}`;
      list.push("forwarded", joined(isTrusted ? req.header("forwarded") : undefined, element));
    }
  }
}

function joined(before: string | undefined, last: string): string {
  return before === undefined ? last : `${before}, ${last}`;
}

function keep(list: string[], req: Request, name: string): void {
  const value = req.header(name);
  if (value !== undefined) list.push(name, value);
}

/** RFC 7239 6: an IPv6 address stands in brackets and quotes; who comes over a UNIX socket has no name. */
function nodeName(address: string): string {
  if (address === "") return "unknown";
  return address.includes(":") ? `"[${address}]"` : address;
}
