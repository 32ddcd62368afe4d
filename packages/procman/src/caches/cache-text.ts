// What caches know, for people.

import type { ExplainedCache, WobjectDescription } from "@hemi/hemi";
import type { PurgeReport, WorkerCaches } from "./cache-actions.ts";

/** One line for each cacher, then the sum. */
export function purgeText({ count, cachers }: PurgeReport, isDryRun: boolean): string {
  const verb = isDryRun ? "would purge" : "purged";
  const lines = cachers.map(({ cacher, count }) => `${cacher.padEnd(16)}${count}\n`);
  if (cachers.length === 0) return "no rule of the program has a cache\n";
  return `${lines.join("")}${verb} ${count} ${count === 1 ? "response" : "responses"}\n`;
}

/** For each cache: its key, and what each worker has stored. */
export function explainedText(url: string, workers: readonly WorkerCaches[]): string {
  const [first] = workers;
  if (first === undefined || first.caches.length === 0) return "no rule of the program has a cache\n";
  const blocks = first.caches.map(({ cache, cacher, key }) => {
    const known = workers.flatMap(({ slot, caches }) =>
      caches.filter((other) => other.cache === cache).flatMap((explained) => knownText(slot, explained)),
    );
    const lines = known.length === 0 ? ["  nothing is stored"] : known;
    return [`${cache}, stored by ${cacher}`, `  key       ${key}`, ...lines].join("\n");
  });
  return `${url}\n${blocks.join("\n")}\n`;
}

function knownText(slot: number, { variants, refusal }: ExplainedCache): readonly string[] {
  const why = refusal === undefined ? [] : [`  worker ${slot}  the last response was not stored: ${refusal}`];
  return [...variants.flatMap((variant) => variantText(slot, variant)), ...why];
}

function variantText(slot: number, wobject: WobjectDescription): readonly string[] {
  const { status, size, variant, tags, storedAt, age, initialAge } = wobject;
  const pairs = variant.flatMap((name, i) => (i % 2 === 0 ? `${name}: ${valueOf(variant[i + 1])}` : []));
  return [
    `  worker ${slot}  status ${status}, ${size} bytes, stored at ${new Date(storedAt).toISOString()}`,
    ...(pairs.length === 0 ? [] : [`    for     ${pairs.join(", ")}`]),
    ...(tags.length === 0 ? [] : [`    tags    ${tags.join(", ")}`]),
    `    age     ${seconds(age)} = ${seconds(initialAge)} when it came + ${seconds(age - initialAge)} here`,
    `    fresh   for ${seconds(wobject.lifetime)}, ${sources[wobject.lifetimeFrom]}; ${remainder(wobject)}`,
    `    a request without directives ${outcomes[wobject.reuse]}`,
  ];
}

/** Normal forms begin with "=", so that an empty field differs from none. */
function valueOf(form = ""): string {
  return form === "" ? "(none)" : form.slice(1);
}

function remainder({ age, lifetime }: WobjectDescription): string {
  return age < lifetime ? `${seconds(lifetime - age)} are left` : `stale since ${seconds(age - lifetime)}`;
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}

const sources: Readonly<Record<WobjectDescription["lifetimeFrom"], string>> = {
  "s-maxage": "by s-maxage of the response",
  "max-age": "by max-age of the response",
  expires: "by expires of the response",
  heuristic: "guessed from last-modified",
  ttl: "by ttl or statusTtl of the cache, because the response does not say it",
  age: "because its age is invalid",
  none: "because nothing says how long",
};

const outcomes: Readonly<Record<WobjectDescription["reuse"], string>> = {
  fresh: "gets it",
  revalidating: "gets it, and it is validated in the background",
  stale: "gets it, although it is stale",
  validate: "gets it if the backend confirms it, or fails and stale-if-error allows it",
};
