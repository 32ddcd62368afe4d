// What is stored under some keys, for those who ask what a request would get.

import type { CacherPart } from "./cacher.ts";
import type { WobjectDescription } from "./managed-cache.ts";
import { noDirectives } from "./rules/directives.ts";
import { ageAt, decideReuse } from "./rules/reuse.ts";

/** In the order in which requests find them. `now`: in milliseconds since the epoch. */
export async function describeStored(
  cacher: CacherPart,
  keys: readonly string[],
  now: number,
): Promise<readonly WobjectDescription[]> {
  const found = await Promise.all(keys.map(async (key) => await cacher.lookup(key)));
  return found.flat().map(({ head, source: { size } }) => {
    const { status, variant, tags, storedAt, initialAge, lifetime, lifetimeFrom } = head;
    const [age, reuse] = [ageAt(head, now), decideReuse(head, noDirectives, now)];
    return { key: head.key, status, size, variant, tags, storedAt, initialAge, age, lifetime, lifetimeFrom, reuse };
  });
}
