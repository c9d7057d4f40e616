/** A part that runs beside `mergewright start` uses the server that it brought up. */
import type { Config } from "../config/config.ts";
import { whereIsTemporal } from "./client.ts";

/** Throws ServiceUnavailable where no server is named and none runs. */
export function withTemporal(config: Config): Config {
  const { address, webUi } = whereIsTemporal(config);
  return { ...config, temporal: { ...config.temporal, address, webUi: config.temporal.webUi ?? webUi } };
}
