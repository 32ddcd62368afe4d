// What a proxy tells a backend of the client and of itself: Via, Forwarded, X-Forwarded-*.
//
// None of it is believed when a client sends it: anyone can claim to come from anywhere. It is made anew, and only what
// comes from the addresses named as trusted is kept before it.

import { randomBytes } from "node:crypto";
import type { AddressSet } from "../../component/props/addresses.ts";
import { unknownAddress } from "../../http/forwarded-source.ts";
import type { Request } from "../request/request.ts";
import { forwardedOfX, forwardedNode, schemeOfX, xOfForwarded } from "./forwarded-forms.ts";

export type ForwardedForm = "both" | "x" | "standard" | "none";

/**
 * Fields that say who the client is, by whatever custom; those that a proxy does not set itself would be the client's
 * own claim.
 */
export const claimFields: readonly string[] = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
];

export interface ForwardedOptions {
  readonly form: ForwardedForm;
  /** Peers whose claims are kept and added to. Default: none. */
  readonly trusted?: AddressSet;
  /** Names, in lower case, of fields that the configuration sets or deletes itself. Default: none. */
  readonly without?: readonly string[];
}

export class ForwardedFields {
  readonly #form: ForwardedForm;
  readonly #trusted: AddressSet | undefined;
  readonly #without: ReadonlySet<string>;
  /**
   * Stands for this proxy in `via` (RFC 9110 7.6.3): no other proxy has it, nor another handlet, so that what comes
   * back to it is a loop.
   */
  readonly #pseudonym = `hemi-${randomBytes(6).toString("hex")}`;

  constructor({ form, trusted, without = [] }: ForwardedOptions) {
    this.#form = form;
    this.#trusted = trusted === undefined || trusted.texts.length === 0 ? undefined : trusted;
    this.#without = new Set(without);
  }

  /** Has the request been here before? */
  isLoop(req: Request): boolean {
    return req.header("via")?.includes(this.#pseudonym) === true;
  }

  addTo(list: string[], req: Request): void {
    this.#add(list, "via", joined(req.header("via"), `${req.version} ${this.#pseudonym}`));
    if (this.#form === "none") return;
    const trusted = this.#trusted;
    if (trusted?.contains(req.sender.address) === true) return this.#addToClaims(list, req, trusted);
    // Where the server believes its peer, this is the client whom that names.
    const { srcHost: address, authority, scheme } = req;
    if (this.#form !== "standard") {
      if (address !== "" && address !== unknownAddress) this.#add(list, "x-forwarded-for", address);
      if (authority !== "") this.#add(list, "x-forwarded-host", authority);
      this.#add(list, "x-forwarded-proto", scheme);
    }
    if (this.#form !== "x") {
      const host = authority === "" ? "" : `;host="${authority}"`;
      this.#add(list, "forwarded", `for=${forwardedNode(address)}${host};proto=${scheme}`);
    }
  }

  /**
   * Of a trusted peer. What it says of host, scheme and port stays alone: how it came to us is another matter, and one
   * reader would take the first of two, another the last. Of both forms, we use those that it uses; where only the
   * other one is wanted, that is made of them (RFC 7239 7.4).
   */
  #addToClaims(list: string[], req: Request, trusted: AddressSet): void {
    const { address } = req.sender;
    const standard = req.header("forwarded");
    const usesX = claimFields.some((name) => name !== "forwarded" && req.headers.has(name));
    if (this.#form === "x" && standard !== undefined && !usesX) {
      for (const [name, value] of xOfForwarded(req, trusted)) this.#add(list, name, value);
      return;
    }
    if (this.#form === "standard" && standard === undefined && usesX) {
      return this.#add(list, "forwarded", forwardedOfX(req, trusted));
    }
    if (this.#form !== "standard" && (usesX || standard === undefined)) {
      const sources = req.header("x-forwarded-for");
      if (address !== "") this.#add(list, "x-forwarded-for", joined(sources, address));
      else if (sources !== undefined) this.#add(list, "x-forwarded-for", sources);
      const host = req.header("x-forwarded-host") ?? req.authority;
      if (host !== "") this.#add(list, "x-forwarded-host", host);
      this.#add(list, "x-forwarded-proto", schemeOfX(req, trusted));
      for (const name of ["x-forwarded-port", "x-real-ip"]) {
        const value = req.header(name);
        if (value !== undefined) this.#add(list, name, value);
      }
    }
    if (this.#form !== "x" && (standard !== undefined || !usesX)) {
      const host = req.authority === "" ? "" : `;host="${req.authority}"`;
      const own = standard === undefined ? `${host};proto=${req.scheme}` : "";
      this.#add(list, "forwarded", joined(standard, `for=${forwardedNode(address)}${own}`));
    }
  }

  #add(list: string[], name: string, value: string): void {
    if (this.#without.size === 0 || !this.#without.has(name)) list.push(name, value);
  }
}

function joined(before: string | undefined, last: string): string {
  return before === undefined ? last : `${before}, ${last}`;
}
