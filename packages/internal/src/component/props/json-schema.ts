// JSON Schema (2020-12): how editors and validators are told what a configuration may be.

/** A schema, or a part of one: keywords with their values, plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;
