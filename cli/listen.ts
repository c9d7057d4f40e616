/** Where a server listens, said on the command line. */
import type { EnvironmentName } from "../config/environment.ts";

export const listenArguments = {
  host: { type: "string", valueHint: "ADDRESS", description: "Listen here instead of HOST" },
  port: {
    type: "string",
    valueHint: "NUMBER",
    description: "Listen on this port instead of PORT; 0 takes any free one",
  },
} as const;

export function listenSettings(args: {
  host?: string | undefined;
  port?: string | undefined;
}): Partial<Record<EnvironmentName, string>> {
  return {
    ...(args.host === undefined ? {} : { HOST: args.host }),
    ...(args.port === undefined ? {} : { PORT: args.port }),
  };
}
