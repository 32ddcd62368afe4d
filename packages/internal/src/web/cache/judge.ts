// What a cache makes of the head of a response: the head to store, or the reason why not.

import { formatHTTPDate } from "@hemi/common";
import { ListedFields, type Fields } from "../../http/fields.ts";
import { listMembers } from "../../http/list-members.ts";
import type { Request } from "../request/request.ts";
import { urlMaker } from "./cache-key.ts";
import type { CacheProps } from "./cache-props.ts";
import { mayRefuseItself, type FetchOrder } from "./fetch-order.ts";
import { Refusals } from "./refusals.ts";
import { noDirectives } from "./rules/directives.ts";
import { storedFields, updatedFields } from "./rules/stored-fields.ts";
import { forbidsStoring, judgeStorage, type StoragePolicy } from "./rules/storing.ts";
import { variantOf, varyNames } from "./rules/vary.ts";
import type { Storable, Wobject } from "./wobject.ts";

/** Judges for one cache. */
export class Judge {
  readonly #props: CacheProps;
  readonly #now: () => number;
  #policy: StoragePolicy;
  #urlOf: (req: Request) => string;
  readonly #refusals = new Refusals();

  /** `now`: in milliseconds since the epoch. */
  constructor(props: CacheProps, now: () => number) {
    this.#props = props;
    this.#now = now;
    this.#policy = policyOf(props);
    this.#urlOf = urlMaker(props);
  }

  /** Call it when props have changed. */
  update(): void {
    this.#policy = policyOf(this.#props);
    this.#urlOf = urlMaker(this.#props);
  }

  /** Whether the answer to a request will most likely not be stored: that to another one was not. */
  isRefused({ key, req, wishes }: Pick<FetchOrder, "key" | "req" | "wishes">): boolean {
    const now = this.#now();
    if (this.#refusals.has(key, now)) return true;
    return mayRefuseItself({ req, wishes }) && this.#refusals.has(ownKey(key), now);
  }

  /** Why the last response was not stored; `undefined` if it was, or if that is not known any more. */
  refusalOf(key: string): string | undefined {
    return this.#refusals.reasonOf(key) ?? this.#refusals.reasonOf(ownKey(key));
  }

  /** Whether a 304 that must not be stored ends the reuse of what it confirms. */
  endsReuse(stored: Wobject, received: readonly string[]): boolean {
    return forbidsStoring(new ListedFields(updatedFields(stored.head.fieldList, received)), this.#policy);
  }

  /** `undefined` if the response must not be stored. */
  judge(
    { key, req, stored, wishes, slice }: FetchOrder,
    requestTime: number,
    status: number,
    received: readonly string[],
  ): Storable | undefined {
    const responseTime = this.#now();
    const isUpdate = stored !== undefined && status === 304;
    const date = formatHTTPDate(responseTime / 1000);
    // Its age is computed from its date, here and downstream (RFC 9110 section 6.6.1).
    const dated = received.some((text, i) => i % 2 === 0 && text === "date") ? received : [...received, "date", date];
    const current = isUpdate ? updatedFields(stored.head.fieldList, dated) : dated;
    const fields = new ListedFields(current);
    const facts = { status: isUpdate ? stored.head.status : status, fields };
    const request = { method: "GET", directives: wishes, hasAuthorization: req.headers.has("authorization") };
    // A slice that fits to others is stored like the whole.
    const isSlice = slice !== undefined && facts.status === 206;
    const judged = isSlice ? { status: 200, fields } : facts;
    const wholeKey = slice?.wholeKey ?? key;
    const verdict = judgeStorage(request, judged, { requestTime, responseTime }, this.#policy);
    if ("refusal" in verdict) {
      const times = { now: responseTime, time: this.#props.passTime };
      this.#refusals.add(verdict.isOwn ? ownKey(wholeKey) : wholeKey, verdict.refusal, times);
      return undefined;
    }
    for (const one of [wholeKey, ownKey(wholeKey)]) this.#refusals.delete(one);
    const names = varyNames(fields);
    const notSent = this.#props.setCookie === "drop" ? droppedWithCookies : dropped;
    const head = {
      ...verdict.usability,
      key: isSlice ? key : wholeKey,
      url: this.#urlOf(req),
      status: facts.status,
      fieldList: storedFields(current, verdict.directives, notSent),
      variant: names === "any" ? [] : variantOf(names, req.headers),
      tags: isUpdate ? stored.head.tags : tagsOf(fields),
      storedAt: responseTime,
      isOutdated: false,
    };
    return { head, ownFields: storedFields(current, noDirectives, notSent) };
  }
}

/** For requests that may refuse themselves. No URL and no field can have a line end: no client can name it. */
function ownKey(key: string): string {
  return `${key}\nown`;
}

/** The tags in a field `cache-tag`. */
export function tagsIn(field: string): readonly string[] {
  return listMembers(field, maxTags);
}

/** Tags are for caches. */
const dropped: ReadonlySet<string> = new Set(["cache-tag", "surrogate-key"]);
const droppedWithCookies: ReadonlySet<string> = new Set([...dropped, "set-cookie"]);

function tagsOf(fields: Fields): readonly string[] {
  const surrogates = (fields.get("surrogate-key") ?? "").split(/[ ,]+/, maxTags).filter(Boolean);
  return [...tagsIn(fields.get("cache-tag") ?? ""), ...surrogates];
}

/** Not a prop: more tags of one response are ignored. */
const maxTags = 1000;

function policyOf(props: CacheProps): StoragePolicy {
  const { ttl, statusTtl, targets, setCookie, heuristicPercent, maxHeuristic } = props;
  return {
    targets,
    heuristic: { fraction: heuristicPercent / 100, max: maxHeuristic },
    ttlOf: (status) =>
      statusTtl.get(String(status)) ??
      statusTtl.get(`${Math.floor(status / 100)}xx`) ??
      (successes.has(status) ? ttl : undefined),
    allowsCookies: setCookie !== "refuse",
    staleIfError: props.staleIfError,
    staleWhileRevalidate: props.staleWhileRevalidate,
  };
}

const successes: ReadonlySet<number> = new Set([200, 203, 204, 301, 308]);
