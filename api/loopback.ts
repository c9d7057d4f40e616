/** Without an API token only this machine may talk to us, and only under its own name. */
import { ConfigurationError } from "../domain/errors.ts";

/** Throws ConfigurationError where the server would be open to others without a token. */
export function assertListenAddress(host: string, apiToken: string | null): void {
  if (apiToken !== null || isLoopback(host)) return;
  throw new ConfigurationError([
    `HOST is ${host}, which other machines can reach, but MERGEWRIGHT_API_TOKEN is not set. Set the token, or HOST to 127.0.0.1.`,
  ]);
}

/**
 * A page elsewhere can point its own host name at 127.0.0.1 (DNS rebinding); the browser then sends that name here.
 * Takes a Host header: a name or address, with or without a port.
 */
export function isLoopbackHost(header: string | undefined): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[^:]+)(?::\d{1,5})?$/i.exec(header ?? "")?.[1];
  return name !== undefined && isLoopback(name.replace(/^\[|\]$/g, ""));
}

function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === "localhost" || name === "::1" || /^127(?:\.\d{1,3}){3}$/.test(name);
}
