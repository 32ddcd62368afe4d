// JSON Schema (2020-12): describes valid configurations to editors and validators.

/** A schema, or a part of it: keywords with values, plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;
