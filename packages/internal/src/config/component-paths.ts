// Paths of components: `webapp.shop/rule.3/static`.

/**
 * The paths of siblings, in order. Each is `sign.name`; without a name `sign.N`, where N counts the unnamed siblings of
 * the same sign from 1; `sign` alone if there is no other unnamed sibling. `owner` is `""` directly under the stage.
 */
export function componentPaths(
  siblings: readonly { readonly sign: string; readonly name?: string | undefined }[],
  owner: string,
): string[] {
  const unnamed = new Map<string, number>();
  for (const { sign, name } of siblings) if (name === undefined) unnamed.set(sign, (unnamed.get(sign) ?? 0) + 1);
  const places = new Map<string, number>();
  return siblings.map(({ sign, name }) => {
    const place = (places.get(sign) ?? 0) + 1;
    if (name === undefined) places.set(sign, place);
    const own = name ?? (unnamed.get(sign) === 1 ? undefined : place);
    return `${owner === "" ? "" : `${owner}/`}${sign}${own === undefined ? "" : `.${own}`}`;
  });
}
