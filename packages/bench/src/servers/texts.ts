// What the RPC benchmarks call in JSON: a bundlet that is declared by schemas.

import { bundlet, unary } from "@hemi/rpc-client";
import { z } from "zod";

/** A text. */
export const text = z.object({ body: z.string() });

/** `echo` gives the text back. */
export const texts = bundlet("hemi.bench.v1.Texts", { echo: unary({ input: text, output: text }) });
