// How a store tells what happens to it. Without a log it keeps silent; what matters is in health too.

export type StoreLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields: Readonly<Record<string, string | number>>,
) => void;

export const silentLog: StoreLog = () => undefined;
