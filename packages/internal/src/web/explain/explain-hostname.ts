// Explains which webapp a hostname selects, and why other candidates lost.

import { labelOf, type ComponentLabel } from "../../component/explain-rows.ts";
import type { HostnameCandidate } from "./explanation.ts";
import { parseHostnamePattern, type HostnamePattern } from "../../component/props/hostnames.ts";
import { HostnameTable } from "../dispatch/hostnames.ts";

/** A webapp with its hostnames. */
export interface NamedWebapp extends ComponentLabel {
  readonly hostnames: readonly string[];
}

/** A pattern of a webapp, as a value of the table: the result then identifies the pattern. */
interface Entry {
  readonly webapp: NamedWebapp;
  readonly text: string;
  readonly pattern: HostnamePattern;
}

/**
 * `hostname` is "" for a request without a host, which belongs to the default webapp. The result comes from the table
 * that serves requests.
 */
export function explainHostname(hostname: string, webapps: readonly NamedWebapp[]): readonly HostnameCandidate[] {
  const entries = entriesOf(webapps);
  const byPattern = new HostnameTable(entries.map((entry) => [entry.text, entry] as const));
  const winner = hostname === "" ? entries.find(({ pattern }) => pattern.type === "any") : byPattern.find(hostname);
  return entries.map((entry) => {
    const { webapp, text, pattern } = entry;
    const matches =
      hostname === "" ? pattern.type === "any" : new HostnameTable([[text, true]]).find(hostname) === true;
    const wins = entry === winner;
    return {
      webapp: labelOf(webapp),
      pattern: text,
      matches,
      wins,
      reason: reasonOf(entry, matches, winner, hostname),
    };
  });
}

/** Each pattern once: a webapp may repeat one. */
function entriesOf(webapps: readonly NamedWebapp[]): readonly Entry[] {
  const entries = new Map<string, Entry>();
  for (const webapp of webapps) {
    for (const text of webapp.hostnames) {
      const pattern = parseHostnamePattern(text);
      if (pattern !== undefined && !entries.has(text)) entries.set(text, { webapp, text, pattern });
    }
  }
  return [...entries.values()];
}

function reasonOf(entry: Entry, matches: boolean, winner: Entry | undefined, hostname: string): string {
  if (!matches) return hostname === "" ? "the request has no host" : "does not match";
  if (entry === winner)
    return hostname === "" ? "the default webapp takes what has no host" : wonBy[entry.pattern.type];
  if (winner?.pattern.type === entry.pattern.type) return `matches, but ${winner.text} is longer`;
  return `matches, but ${describe(winner?.pattern.type ?? "any")} goes before`;
}

const wonBy: Readonly<Record<HostnamePattern["type"], string>> = {
  exact: "the exact name",
  suffix: "the longest suffix that matches",
  prefix: "the longest prefix that matches",
  any: "nothing else matches",
};

function describe(type: HostnamePattern["type"]): string {
  return type === "exact" ? "the exact name" : `a ${type}`;
}
