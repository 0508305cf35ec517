// The fields of the password dialog. What is wrong is said beside the field it is about, which takes the focus.

import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { TextField } from '../shell/text-field.tsx';
import type { ChangeFaults } from './password-faults.ts';

export interface PasswordChange {
  readonly email?: string;
  readonly current?: string;
  readonly password: string;
}

interface ChangePasswordFormProps {
  /** `undefined`: the account has none, and is given one. */
  readonly email: string | undefined;
  /** Whether the present password is asked for. */
  readonly current: 'none' | 'optional' | 'required';
  /** What the service found. */
  readonly faults: ChangeFaults;
  readonly isBusy: boolean;
  readonly onSubmit: (change: PasswordChange) => void;
}

/** The contract's limits. */
const minPasswordChars = 10;
const maxPasswordChars = 256;

export function ChangePasswordForm({ email, current, faults, isBusy, onSubmit }: ChangePasswordFormProps): ReactNode {
  const [shown, setShown] = useState<ChangeFaults>(faults);
  const [known, setKnown] = useState(faults);
  const [isVisible, setVisible] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  if (faults !== known) {
    setKnown(faults);
    setShown(faults);
  }

  useEffect(() => form.current?.querySelector<HTMLInputElement>('input[name]')?.focus(), []);
  useEffect(() => {
    const first = (['email', 'current', 'password'] as const).find((name) => shown[name] !== undefined);
    if (first !== undefined) form.current?.querySelector<HTMLInputElement>(`input[name="${first}"]`)?.select();
  }, [shown]);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const text = (name: string): string => String(data.get(name) ?? '');
    const given = { email: text('email').trim(), current: text('current'), password: text('password') };
    const missing: ChangeFaults = {
      ...(email === undefined && !/^\S+@\S+$/.test(given.email)
        ? { email: 'Type the e-mail address you want to sign in by.' }
        : {}),
      ...(current === 'required' && given.current === '' ? { current: 'Type your present password.' } : {}),
      ...(given.password.length < minPasswordChars
        ? { password: `A password has at least ${minPasswordChars} characters; this one has ${given.password.length}.` }
        : {}),
    };
    setShown(missing);
    if (Object.keys(missing).length > 0) return;
    onSubmit({
      password: given.password,
      ...(email === undefined ? { email: given.email } : {}),
      ...(given.current === '' ? {} : { current: given.current }),
    });
  }

  const type = isVisible ? 'text' : 'password';
  return (
    <form ref={form} className="password-form" noValidate onSubmit={submit}>
      {email === undefined ? (
        <TextField
          label="E-mail address"
          name="email"
          type="email"
          autoComplete="username"
          note="Your account has none yet. You sign in by it and the password."
          problem={shown.email}
        />
      ) : (
        // For programs that keep passwords: it says whose this one is.
        <input
          className="visually-hidden"
          aria-hidden="true"
          tabIndex={-1}
          readOnly
          autoComplete="username"
          value={email}
        />
      )}
      {current === 'none' ? null : (
        <TextField
          label={current === 'required' ? 'Present password' : 'Present password, if you have one'}
          name="current"
          type={type}
          autoComplete="current-password"
          maxLength={maxPasswordChars}
          problem={shown.current}
        />
      )}
      <TextField
        label="New password"
        name="password"
        type={type}
        autoComplete="new-password"
        maxLength={maxPasswordChars}
        note={`At least ${minPasswordChars} characters. Several words are good.`}
        problem={shown.password}
      />
      <label className="password-visible">
        <input type="checkbox" checked={isVisible} onChange={(event) => setVisible(event.currentTarget.checked)} />
        Show what I type
      </label>
      <p className="password-note">Setting it signs you out everywhere else.</p>
      <button type="submit" className="button" data-kind="primary" disabled={isBusy}>
        Set password
      </button>
    </form>
  );
}
