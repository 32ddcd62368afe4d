// For tests: an engine of a few kinds, whose components write down what happens to them, and fail or hang on demand.

import { kind, shape } from "../component/kind.ts";
import { backendKind } from "../backend/kind.ts";
import { fixtureKind } from "../fixtures/kind.ts";
import { pack } from "../component/pack.ts";
import type { Part } from "../component/part.ts";
import { prop } from "../component/prop.ts";
import type { Reference } from "../component/reference.ts";
import { variableTable } from "../component/variables.ts";
import { clock, fcache, namer } from "../fixtures/definitions.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { Listeners } from "../net/listener.ts";
import { makeBoot } from "../boot.ts";
import { injectable } from "../web/server-capabilities.ts";
import { definer } from "../stage/definer.ts";

export interface ProbePart extends Part {
  readonly greeting: string;
  readonly peer: Reference | undefined;
}

const row = { part: shape<ProbePart>(), owner: shape<ProbePart | undefined>() };
export const webappKind = kind({ ...row, name: "webapp", rank: 4, standsIn: [{ owner: "stage", naming: "required" }] });
export const ruleKind = kind({
  ...row,
  name: "rule",
  rank: 4,
  standsIn: [{ owner: "webapp", naming: "optional" }],
  takesCondition: true,
  variables: variableTable<object>({ path: () => "" }),
});
export const serverKind = kind({ ...row, name: "server", rank: 5, standsIn: [{ owner: "stage", naming: "required" }] });

export const steps = ["create", "prepare", "start", "update", "drain", "shutdown"] as const;
export type Step = (typeof steps)[number];

/** An engine with its journal: `prepare webapp.shop/rule`, in the order in which it happened. */
export function testEngine() {
  const journal: string[] = [];
  const sink = new MemorySink();
  /** By `step path`: what the step waits for. */
  const gates = new Map<string, Promise<void>>();

  const act = (step: Step, path: string, failAt: readonly Step[]): void | Promise<void> => {
    journal.push(`${step} ${path}`);
    if (failAt.includes(step)) throw new Error(`no ${step}`);
    return gates.get(`${step} ${path}`);
  };
  const props = {
    failAt: prop.list(prop.choice(steps), { default: [] }),
    greeting: prop.string({ default: "hello", reload: "live", inherited: true }),
    port: prop.integer({ default: 0, inherited: true }),
  };
  interface Probed {
    readonly props: { readonly failAt: readonly Step[]; readonly greeting: string };
    readonly path: string;
  }
  const probe = ({ props, path }: Probed, peer?: Reference): ProbePart => {
    const { failAt } = props;
    const step = (name: Step) => () => act(name, path, failAt);
    void act("create", path, failAt);
    return {
      peer,
      get greeting() {
        return props.greeting;
      },
      prepare: step("prepare"),
      start: step("start"),
      update: step("update"),
      drain: step("drain"),
      shutdown: step("shutdown"),
    };
  };

  const backend = definer(backendKind)({
    sign: "testBackend",
    props: { ...props, peer: prop.reference(backendKind) },
    create: (context) => probe(context, context.props.peer),
  });
  const webapp = definer(webappKind)({
    sign: "webapp",
    props: { ...props, peer: prop.reference(backendKind, { inherited: true }) },
    create: (context) => probe(context, context.props.peer),
  });
  const rule = definer(ruleKind)({
    sign: "rule",
    props: { ...props, peer: prop.reference(ruleKind) },
    create: (context) => probe(context, context.props.peer),
  });
  const server = definer(serverKind)({
    sign: "testServer",
    props: { ...props, webapps: prop.list(prop.reference(webappKind), { default: [] }) },
    offers: [injectable],
    create: (context) => ({
      ...probe(context),
      inject: ({ url }) =>
        Promise.resolve({ status: 200, headers: {}, content: new Uint8Array(), text: `${context.path} ${url}` }),
    }),
  });
  const corePack = pack("@hemi/test", [clock, fcache, namer, backend, webapp, rule, server]);
  const kinds = [fixtureKind, backendKind, webappKind, ruleKind, serverKind];
  const boot = makeBoot({
    kinds,
    packs: [corePack],
    fixtures: { clock, fcache, namer },
    openLog: () => openErrorLog({ sink, now: () => 0 }),
    makeListeners: () => new Listeners(),
  });
  return { ...boot, kinds, corePack, journal, sink, gates };
}
