// Suggests known names for a misspelled one.

/**
 * Up to `limit` (default 3) names of `known`, the nearest first, by edit distance: an added, dropped, replaced or
 * swapped letter counts one, another case counts a tenth. Names farther than a third of the name's length (at least one
 * letter) are omitted, as are names clearly farther than the nearest.
 */
export function nearestNames(name: string, known: Iterable<string>, limit = 3): string[] {
  const farthest = Math.max(1, Math.floor(name.length / 3)) + 0.9;
  const near: { readonly name: string; readonly distance: number }[] = [];
  for (const candidate of new Set(known)) {
    if (Math.abs(candidate.length - name.length) > farthest) continue;
    const distance = editDistance(name, candidate);
    if (distance <= farthest) near.push({ name: candidate, distance });
  }
  near.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  const [nearest] = near;
  if (nearest === undefined) return [];
  return near
    .filter(({ distance }) => distance < nearest.distance + 1)
    .slice(0, limit)
    .map(({ name }) => name);
}

/** Optimal string alignment: the Damerau–Levenshtein distance without repeated edits of a substring. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (last[column - 1] ?? 0) + replacingCost(a.charAt(row - 1), b.charAt(column - 1));
      let best = Math.min(replaced, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      const isSwap =
        row > 1 &&
        column > 1 &&
        a.charAt(row - 1) === b.charAt(column - 2) &&
        a.charAt(row - 2) === b.charAt(column - 1);
      if (isSwap) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      current.push(best);
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length] ?? 0;
}

function replacingCost(a: string, b: string): number {
  if (a === b) return 0;
  return a.toLowerCase() === b.toLowerCase() ? 0.1 : 1;
}
