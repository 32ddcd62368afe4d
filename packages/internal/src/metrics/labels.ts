// The labels of a component: names that do not change with the order of rules.

/** Of one that stands directly under the stage: its name and its sign. The path of such a component is `sign.name`. */
export function ownLabels({ name, path }: { readonly name: string; readonly path: string }): readonly [string, string] {
  return [name, path.slice(0, path.indexOf("."))];
}

/** Of one at any depth: the name of the component under the stage that it stands in, and its own, which may be "". */
export function ownerLabels({
  name,
  path,
}: {
  readonly name: string;
  readonly path: string;
}): readonly [string, string] {
  const [first = ""] = path.split("/");
  return [first.slice(first.indexOf(".") + 1), name];
}
