// What a statement may leave in a session without telling it by its tag: what the functions do that it calls.

/**
 * Whether the text of a statement calls a function that is not known to be harmless, such as `set_config` or one of a
 * user, or writes within a SELECT, which may fire a trigger. Says yes in doubt: that costs a reset. What the text does
 * not show stays unseen: functions behind views, operators, casts and policies. `start`: where the text begins.
 */
export function mayHaveSideEffects(bytes: Buffer, start: number, end: number): boolean {
  const text = bytes.subarray(start, end);
  let open = text.indexOf(parenthesis);
  if (open < 0) return false;
  // A comment may stand between the name of a function and its arguments.
  if (text.includes("--")) return true;
  for (; open >= 0; open = text.indexOf(parenthesis, open + 1)) {
    if (isUnknownCall(text, open) || writes(text, open)) return true;
  }
  return false;
}

/**
 * The same of the text of a Parse. CREATE TABLE AS and SELECT INTO have the tag of a SELECT, and are told from one only
 * by their rows, or by a description, which the client of a prepared statement need not ask for again.
 */
export function mayPreparedHaveSideEffects(bytes: Buffer, start: number, end: number): boolean {
  return mayHaveSideEffects(bytes, start, end) || makingTables.test(bytes.toString("latin1", start, end));
}

/** `open`: where the parenthesis is. */
function isUnknownCall(text: Buffer, open: number): boolean {
  const last = beforeSpace(text, open - 1);
  if (last < 0) return false;
  let first = last;
  while (first >= 0 && isOfWord(text[first])) first--;
  // An operator, or a quoted name.
  if (first === last) return !operators.has(text[last] ?? 0) || isHalf(text, last);
  if (last - first > longest || !harmless.has(text.toString("latin1", first + 1, last + 1).toLowerCase())) return true;
  // A function of the same name in a schema, or the end of a longer name.
  return text[beforeSpace(text, first)] === dot || isHalf(text, first);
}

/** Whether the statement in these parentheses may be one that writes: behind its own WITH, too. */
function writes(text: Buffer, open: number): boolean {
  let first = open + 1;
  while (isSpace(text[first])) first++;
  let end = first;
  while (isOfWord(text[end])) end++;
  if (end === first) return text[first] === slash;
  const length = end - first;
  return length >= 4 && length <= 6 && writing.has(text.toString("latin1", first, end).toLowerCase());
}

/** The last position up to `at` that is not white space. */
function beforeSpace(text: Buffer, at: number): number {
  while (isSpace(text[at])) at--;
  return at;
}

/** As the lexer of PostgreSQL has it. */
function isSpace(byte: number | undefined): boolean {
  return byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);
}

/** Of a name: letters, digits, `_`, `$`, and all that is not ASCII. */
function isOfWord(byte = 0): boolean {
  const letter = byte | 32;
  if ((letter >= 97 && letter <= 122) || byte === 95 || byte >= 128) return true;
  return (byte >= 48 && byte <= 57) || byte === 36;
}

/** Whether it may be the second half of a letter of a name: in SJIS, BIG5 and GBK those can be ASCII from `@` on. */
function isHalf(text: Buffer, at: number): boolean {
  return (text[at] ?? 0) >= 64 && (text[at - 1] ?? 0) >= 128;
}

const makingTables = /\b(?:create|into)\b/i;
const parenthesis = 40;
const dot = 46;
const slash = 47;
const operators: ReadonlySet<number> = new Set(Buffer.from(",(=<>+-*%|&!~^[:;@#?"));
const writing: ReadonlySet<string> = new Set(["insert", "update", "delete", "merge", "with"]);

/** Words before a parenthesis: those that call nothing, types, and functions that leave nothing in a session. */
const harmless: ReadonlySet<string> = new Set(
  `all and any array as between by case distinct else except exists filter from group having ilike in intersect is join
  lateral like limit materialized not offset on only or over returning row select some then union using values when
  where with
  bit bpchar char character decimal float interval numeric time timestamp timestamptz timetz varchar varying
  abs age any_value array_agg array_append array_cat array_length array_position array_prepend array_remove
  array_replace array_to_string array_upper avg bit_and bit_or bool_and bool_or btrim cardinality cast ceil ceiling
  char_length character_length chr clock_timestamp coalesce col_description concat concat_ws corr count cume_dist
  current_database current_schema current_schemas current_setting date_bin date_part date_trunc decode dense_rank
  div encode every exp extract first_value floor format format_type gen_random_uuid generate_series
  generate_subscripts greatest has_schema_privilege has_table_privilege initcap json_agg json_array_elements
  json_build_array json_build_object json_object_agg jsonb_agg jsonb_array_elements jsonb_array_elements_text
  jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_object_agg
  jsonb_object_keys jsonb_path_exists jsonb_path_query jsonb_set jsonb_strip_nulls jsonb_typeof lag last_value lead
  least left length ln log lower lpad ltrim make_date make_interval make_time make_timestamp make_timestamptz max md5
  min mod mode now nth_value ntile nullif num_nonnulls num_nulls obj_description octet_length overlay percent_rank
  percentile_cont percentile_disc pg_backend_pid pg_get_constraintdef pg_get_expr pg_get_indexdef pg_get_userbyid
  pg_notify pg_sleep pg_table_is_visible pg_typeof plainto_tsquery position power quote_ident quote_literal random
  rank regexp_match regexp_matches regexp_replace regexp_split_to_array repeat replace reverse right round row_number
  row_to_json rpad rtrim sha256 sign split_part sqrt starts_with statement_timestamp stddev string_agg
  string_to_array strpos substr substring sum timeofday to_char to_date to_json to_jsonb to_number to_timestamp
  to_tsquery to_tsvector transaction_timestamp translate trim trunc ts_headline ts_rank unnest upper variance version
  websearch_to_tsquery width_bucket`.split(/\s+/),
);

const longest = 32;
