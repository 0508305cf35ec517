// E-mail address and password, and for who is not of the first tenant, its name.

import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { TextField } from '../shell/text-field.tsx';
import { firstTenant, knownTenant } from './kept-tenant.ts';
import type { SignInRefusal } from './use-sign-in.ts';

interface PasswordFormProps {
  readonly refusal: SignInRefusal | undefined;
  readonly isBusy: boolean;
  readonly onSubmit: (request: {
    readonly email: string;
    readonly password: string;
    readonly tenantId?: string;
  }) => void;
}

interface Faults {
  readonly email?: string;
  readonly password?: string;
}

export function PasswordForm({ refusal, isBusy, onSubmit }: PasswordFormProps): ReactNode {
  const [faults, setFaults] = useState<Faults>({});
  const [tenant] = useState(knownTenant);
  const email = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);

  useEffect(() => {
    if (refusal !== undefined) password.current?.select();
  }, [refusal]);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const given = { email: textOf(form, 'email').trim(), password: textOf(form, 'password') };
    const missing: Faults = {
      ...(given.email === '' ? { email: 'Type the e-mail address of your account.' } : {}),
      ...(given.password === '' ? { password: 'Type your password.' } : {}),
    };
    setFaults(missing);
    if (missing.email !== undefined) email.current?.focus();
    else if (missing.password !== undefined) password.current?.focus();
    else onSubmit({ ...given, tenantId: textOf(form, 'tenant').trim() || firstTenant });
  }

  const isFaulty = faults.email !== undefined || faults.password !== undefined;
  return (
    <form className="sign-in-form" noValidate onSubmit={submit}>
      <TextField
        ref={email}
        label="E-mail address"
        name="email"
        type="email"
        autoComplete="username"
        problem={faults.email}
      />
      <TextField
        ref={password}
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        problem={isFaulty ? faults.password : passwordProblem(refusal)}
      />
      <details className="sign-in-tenant" open={tenant !== firstTenant}>
        <summary>Another tenant</summary>
        <TextField
          label="Tenant"
          name="tenant"
          autoComplete="organization"
          defaultValue={tenant === firstTenant ? '' : tenant}
          note="Its id, where whoever runs Stowage gave you one. Leave it empty otherwise."
        />
      </details>
      <button type="submit" className="button" data-kind="primary" disabled={isBusy}>
        Sign in
      </button>
    </form>
  );
}

function passwordProblem(refusal: SignInRefusal | undefined): string | undefined {
  if (refusal?.code !== 'sign-in-failed') return refusal?.words;
  return 'E-mail address and password do not belong together. If you have no password, or lost it, sign in by a link.';
}

function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}
