// One directive of a page: `<!--#echo var="path" -->`.

export interface Directive {
  /** In lower case. */
  readonly name: string;
  /**
   * Names in lower case, and values with their character references read, in order: `set` has two that belong together.
   */
  readonly attributes: ReadonlyMap<string, string>;
}

/** Reads what stands between `<!--#` and `-->`. `undefined` if it is malformed. */
export function parseDirective(text: string): Directive | undefined {
  const [head, name = ""] = /^\s*([a-zA-Z]+)\s*/.exec(text) ?? [];
  if (head === undefined) return undefined;
  const attributes = new Map<string, string>();
  const attribute = /([a-zA-Z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`)\s*/sy;
  attribute.lastIndex = head.length;
  while (attribute.lastIndex < text.length) {
    const [, key = "", double, single, back] = attribute.exec(text) ?? [];
    if (key === "" || attributes.has(key.toLowerCase())) return undefined;
    attributes.set(key.toLowerCase(), (double ?? single ?? back ?? "").replace(/\\(["'`])/g, "$1"));
  }
  return { name: name.toLowerCase(), attributes };
}
