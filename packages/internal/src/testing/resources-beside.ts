/**
 * What keeps the process by now, without what did before; some of that may be gone, such as a timer of who runs the
 * tests.
 */
export function resourcesBeside(before: readonly string[]): readonly string[] {
  const added = process.getActiveResourcesInfo();
  for (const resource of before) {
    const at = added.indexOf(resource);
    if (at >= 0) added.splice(at, 1);
  }
  return added;
}
