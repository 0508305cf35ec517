// Which field of the password dialog a refusal is about.

import { isClientError } from '@stowage/client';

/** What is wrong with each field. */
export interface ChangeFaults {
  readonly email?: string;
  readonly current?: string;
  readonly password?: string;
}

export function faultsOf(failure: unknown): ChangeFaults {
  if (!isClientError(failure)) return { password: 'Something unexpected happened in this page.' };
  const { code, message, retryAfterMs } = failure;
  if (code === 'name-taken') return { email: 'Somebody else’s account has this e-mail address.' };
  if (code === 'password-wrong') {
    return { current: 'This is not your present password. If it is lost, ask an owner for a sign-in link.' };
  }
  if (code === 'too-many-requests') {
    const seconds = Math.ceil((retryAfterMs ?? 60_000) / 1000);
    return { password: `Too many tries. Wait, and try again in ${seconds} s.` };
  }
  return code === 'invalid-request' && /email/.test(message) ? { email: message } : { password: message };
}
