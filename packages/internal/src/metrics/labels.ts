// The labels of a component that stands directly under the stage.

/** Its name and its sign. The path of such a component is `sign.name`. */
export function ownLabels({ name, path }: { readonly name: string; readonly path: string }): readonly [string, string] {
  return [name, path.slice(0, path.indexOf("."))];
}
