// For tests: a service that is declared by schemas, with procedures of all kinds.

import { bidiStreaming, bundlet, clientStreaming, RpcError, serverStreaming, unary } from "@hemi/common/rpc";
import { z } from "zod";
import type { Call } from "../../rpc/call.ts";
import { implement, type ServedBundlet } from "../../rpc/served-bundlet.ts";

const number = z.object({ n: z.number() });
const text = z.object({ text: z.string() });

export const numbers = bundlet("test.Numbers", {
  double: unary({ input: z.object({ n: z.number().default(4) }), output: number, idempotency: "no_side_effects" }),
  increment: unary({ input: number, output: number }),
  count: serverStreaming({ input: number, output: number }),
  sum: clientStreaming({ input: number, output: number }),
  echo: bidiStreaming({ input: text, output: text }),
});

/** What the procedures noticed, in order, and how often `double` fails. */
export interface NumbersObserved {
  readonly events: string[];
  failures: number;
}

/** `double` of 99 hangs until its signal, of 98 for ever; a negative number is out of range, -99 throws. */
export function numbersService(observed: NumbersObserved = { events: [], failures: 0 }): ServedBundlet {
  return implement(numbers, {
    double({ n }, call) {
      if (observed.failures-- > 0) throw new RpcError("unavailable", "later");
      if (n === -99) throw new Error("the secret of the server");
      if (n < 0) throw new RpcError("out_of_range", "below zero");
      call.headers.set("x-head", call.metadata.get("x-asked") ?? "");
      call.trailers.set("x-trail", "t");
      if (n === 99) return hang(call, observed);
      if (n === 98) return new Promise(() => observed.events.push("deaf"));
      return { n: 2 * n };
    },
    increment({ n }) {
      observed.events.push("increment");
      return { n: n + 1 };
    },
    async *count({ n }) {
      try {
        for (let i = 0; i < n; i++) yield { n: i };
      } finally {
        observed.events.push("count closed");
      }
    },
    async sum(inputs) {
      let sum = 0;
      for await (const { n } of inputs) sum += n;
      return { n: sum };
    },
    async *echo(inputs) {
      for await (const { text } of inputs) yield { text };
    },
  });
}

function hang(call: Call, observed: NumbersObserved): Promise<never> {
  return new Promise((_resolve, reject) => {
    call.signal.addEventListener("abort", () => {
      observed.events.push("aborted");
      reject(call.signal.reason as Error);
    });
    observed.events.push("hangs");
  });
}
