// For tests: an engine of a few kinds, whose components write down what happens to them, and fail or hang on demand.

import type { Child } from "../component/context.ts";
import type { Context } from "../stage/context.ts";
import { kind, shape, type Kind } from "../component/kind.ts";
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
import type { InjectRequest } from "../web/wires/inject-request.ts";
import { injectable } from "../web/server-capabilities.ts";
import { definer } from "../stage/definer.ts";

export interface ProbePart extends Part {
  readonly greeting: string;
  readonly peer: Reference | undefined;
  /** The greetings of its children and of those it refers to, as of the last `compose`. */
  readonly composed: readonly string[];
}

interface ProbeOptions {
  readonly peer?: Reference | undefined;
  /** Read at each `compose`. */
  readonly peers?: () => readonly Reference[];
}

const row = { part: shape<ProbePart>(), owner: shape<ProbePart | undefined>() };
export const probeWebappKind = kind({
  ...row,
  name: "webapp",
  rank: 4,
  standsIn: [{ owner: "stage", naming: "required" }],
});
const probeRuleKind = kind({
  ...row,
  name: "rule",
  rank: 4,
  standsIn: [{ owner: "webapp", naming: "optional" }],
  takesCondition: true,
  variables: variableTable<object>({ path: () => "" }),
});
export const probeServerKind = kind({
  ...row,
  name: "server",
  rank: 5,
  standsIn: [{ owner: "stage", naming: "required" }],
});

export const steps = [
  "create",
  "prepare",
  "compose",
  "start",
  "revise",
  "update",
  "settle",
  "drain",
  "shutdown",
] as const;
export type Step = (typeof steps)[number];

/** An engine with its journal: `prepare webapp.shop/rule`, in the order in which it happened. */
export function testEngine() {
  const journal: string[] = [];
  const sink = new MemorySink();
  /** By `step path`: what the step waits for. */
  const gates = new Map<string, Promise<void>>();

  /** By `step path`: a step that is to fail, whatever `failAt` says. */
  const failing = new Set<string>();
  const act = (step: Step, path: string, failAt: readonly Step[]): void | Promise<void> => {
    journal.push(`${step} ${path}`);
    if (failAt.includes(step) || failing.has(`${step} ${path}`)) throw new Error(`no ${step}`);
    return gates.get(`${step} ${path}`);
  };
  const props = {
    failAt: prop.list(prop.choice(steps), { default: [], reload: "live" }),
    greeting: prop.string({ default: "hello", reload: "live", inherited: true }),
    port: prop.integer({ default: 0, inherited: true }),
    /** Not inherited: changing it makes this component anew, and no other. */
    version: prop.integer({ default: 1 }),
  };
  type Probed = Pick<Context<{ readonly failAt: readonly Step[]; readonly greeting: string }>, "path" | "props"> & {
    children<PartType extends object>(...kinds: readonly Kind<PartType>[]): readonly Child<PartType>[];
  };
  const probe = (context: Probed, { peer, peers = () => [] }: ProbeOptions = {}): ProbePart => {
    const { props } = context;
    const step = (name: Step) => () => act(name, context.path, props.failAt);
    void act("create", context.path, props.failAt);
    /** What `revise` works out. */
    let loaded = props.greeting;
    let composed: readonly string[] = [];
    return {
      peer,
      get greeting() {
        return loaded;
      },
      get composed() {
        return composed;
      },
      prepare: step("prepare"),
      compose() {
        void act("compose", context.path, props.failAt);
        const children = [...context.children(probeRuleKind)].map(({ part }) => part.greeting);
        const referred = (peer === undefined ? peers() : [peer, ...peers()]).map(({ current }) =>
          "greeting" in current ? String(current.greeting) : "",
        );
        composed = [...children, ...referred];
      },
      start: step("start"),
      async revise({ greeting }) {
        await act("revise", context.path, props.failAt);
        let other = String(greeting);
        return () => {
          [loaded, other] = [other, loaded];
        };
      },
      update: () => void act("update", context.path, props.failAt),
      settle: step("settle"),
      drain: step("drain"),
      shutdown: step("shutdown"),
    };
  };

  const backend = definer(backendKind)({
    sign: "testBackend",
    props: { ...props, peer: prop.reference(backendKind) },
    create: (context) => probe(context, { peer: context.props.peer }),
  });
  const webapp = definer(probeWebappKind)({
    sign: "webapp",
    props: { ...props, peer: prop.reference(backendKind, { inherited: true }) },
    create: (context) => probe(context, { peer: context.props.peer }),
  });
  const rule = definer(probeRuleKind)({
    sign: "rule",
    props: { ...props, peer: prop.reference(probeRuleKind) },
    create: (context) => probe(context, { peer: context.props.peer }),
  });
  const server = definer(probeServerKind)({
    sign: "testServer",
    props: { ...props, webapps: prop.list(prop.reference(probeWebappKind), { default: [], reload: "live" }) },
    offers: [injectable],
    create: (context) =>
      Object.assign(probe(context, { peers: () => context.props.webapps }), {
        inject: ({ url }: InjectRequest) =>
          Promise.resolve({ status: 200, headers: {}, content: new Uint8Array(), text: `${context.path} ${url}` }),
      }),
  });
  const corePack = pack("@hemi/test", [clock, fcache, namer, backend, webapp, rule, server]);
  const kinds = [fixtureKind, backendKind, probeWebappKind, probeRuleKind, probeServerKind];
  const boot = makeBoot({
    kinds,
    packs: [corePack],
    fixtures: { clock, fcache, namer },
    openLog: () => openErrorLog({ sink, now: () => 0 }),
    makeListeners: () => new Listeners(),
  });
  return { ...boot, kinds, corePack, journal, sink, gates, failing };
}
