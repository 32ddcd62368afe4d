// Heads of wobjects as bytes: as an object, each takes more than a kilobyte.
//
//   numbers, with the lengths of all texts │ line end │ texts, one behind the other

import type { LifetimeSource } from "../rules/freshness.ts";
import type { WobjectHead } from "../wobject.ts";

/** All of a head but its key. */
export function packHead({ key, url, fieldList, variant, tags, ...head }: WobjectHead): string {
  const { noCache, mustRevalidate, isOutdated, isImmutable } = head;
  const ofResponse = (noCache ? 1 : 0) | (mustRevalidate ? 2 : 0) | (isImmutable ? 16 : 0);
  const flags = ofResponse | (isOutdated ? 4 : 0) | (url === key ? 8 : 0);
  const numbers = [
    flags,
    head.status,
    head.lifetime,
    lifetimeSources.indexOf(head.lifetimeFrom),
    head.initialAge,
    head.staleWhileRevalidate,
    head.staleIfError,
    head.storedAt,
    fieldList.length,
    variant.length,
  ];
  let texts = "";
  const add = (text: string): void => {
    numbers.push(text.length);
    texts += text;
  };
  if (url !== key) add(url);
  for (const text of fieldList) {
    const number = numbersOfNames.get(text);
    // A length is not negative.
    if (number === undefined) add(text);
    else numbers.push(-1 - number);
  }
  variant.forEach(add);
  tags.forEach(add);
  return `${numbers.join(" ")}\n${texts}`;
}

/** `packed` may have spaces at its end. */
export function unpackHead(key: string, packed: string): WobjectHead {
  const lineEnd = packed.indexOf("\n");
  const numbers = packed.slice(0, lineEnd).split(" ");
  let [next, at] = [0, lineEnd + 1];
  const number = (): number => Number(numbers[next++]);
  const text = (): string => {
    const length = number();
    if (length < 0) return names[-1 - length] ?? "";
    at += length;
    return packed.slice(at - length, at);
  };
  const textsUntil = (count: number): string[] => Array.from({ length: count }, text);
  const flags = number();
  const head = {
    status: number(),
    lifetime: number(),
    lifetimeFrom: lifetimeSources[number()] ?? "none",
    initialAge: number(),
    staleWhileRevalidate: number(),
    staleIfError: number(),
    storedAt: number(),
    noCache: (flags & 1) > 0,
    mustRevalidate: (flags & 2) > 0,
    isOutdated: (flags & 4) > 0,
    isImmutable: (flags & 16) > 0,
  };
  const [fieldCount, variantCount] = [number(), number()];
  return {
    key,
    url: (flags & 8) > 0 ? key : text(),
    ...head,
    fieldList: textsUntil(fieldCount),
    variant: textsUntil(variantCount),
    tags: textsUntil(numbers.length - next),
  };
}

/** Whether its URL is its key. `packed` may be cut to `flagsLength`. */
export function isKeyOf(packed: string): boolean {
  return (Number.parseInt(packed, 10) & 8) > 0;
}

/** The most bytes that the flags take, which come first. */
export const flagsLength = 2;

const lifetimeSources: readonly LifetimeSource[] = [
  "none",
  "s-maxage",
  "max-age",
  "expires",
  "heuristic",
  "ttl",
  "age",
];

/** Names and values that many responses have. The order counts only within one process. */
const names: readonly string[] = [
  "accept-ranges",
  "access-control-allow-origin",
  "cache-control",
  "cdn-cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-location",
  "content-range",
  "content-security-policy",
  "content-type",
  "cross-origin-resource-policy",
  "date",
  "etag",
  "expires",
  "last-modified",
  "link",
  "pragma",
  "referrer-policy",
  "server",
  "strict-transport-security",
  "vary",
  "via",
  "x-content-type-options",
  "x-frame-options",
  "accept-encoding",
  "application/javascript",
  "application/json",
  "bytes",
  "image/jpeg",
  "image/png",
  "image/webp",
  "nosniff",
  "text/css",
  "text/html",
  "text/html; charset=utf-8",
  "text/javascript",
];

const numbersOfNames: ReadonlyMap<string, number> = new Map(names.map((name, number) => [name, number]));
