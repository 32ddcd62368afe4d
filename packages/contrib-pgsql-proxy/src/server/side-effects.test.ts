import { expect, test } from "vitest";
import { mayHaveSideEffects } from "./side-effects.ts";

const judged = (text: string): boolean => {
  const bytes = Buffer.from(`(${text}\0(`, "latin1");
  return mayHaveSideEffects(bytes, 1, bytes.length - 1);
};

test.each([
  "SELECT set_config('a.b', 'x', false)",
  "select PG_CATALOG.Set_Config ('a.b', 'x', false)",
  `SELECT "set_config"('a.b', 'x', false)`,
  `SELECT U&"s!0065t_config" UESCAPE '!' ('a.b', 'x', false)`,
  "SELECT set_config/* and */('a.b', 'x', false)",
  "SELECT set_config -- and\n('a.b', 'x', false)",
  "SELECT pg_advisory_lock(1)",
  "SELECT shop.lower(1)",
  "SELECT shop . lower(1)",
  "SELECT count(*), become(7) FROM t",
  "WITH a AS (DELETE FROM t RETURNING id) SELECT * FROM a",
  "WITH a AS ( /* */ insert into t values (1) returning id) SELECT * FROM a",
  "WITH a AS (WITH b AS (SELECT 1) INSERT INTO t SELECT * FROM b RETURNING id) SELECT * FROM a",
  // In SJIS, the names of these functions end with a letter of which the second half looks like an operator.
  "SELECT \x83|(1)",
  "SELECT \x83[lower(1)",
])("what this may leave in a session is cleaned: %j", (text) => expect(judged(text)).toBe(true));

test.each([
  "SELECT abalance FROM pgbench_accounts WHERE aid = $1",
  "SELECT count(*), max(a) FROM t WHERE id IN (1, 2) AND (b OR NOT (c)) AND d = ANY ($1)",
  "select coalesce(sum(n), 0)::numeric(10, 2) from (select lower('\xc3\xa9'||a) as a from t) as u",
  "SELECT now() - interval '1 day', date_trunc('day', t.at) FROM t",
  "(SELECT 1) UNION (SELECT 2)",
  "",
])("this leaves nothing: %j", (text) => expect(judged(text)).toBe(false));
