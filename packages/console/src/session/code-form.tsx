// The second question where an account has an authenticator.

import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { TextField } from '../shell/text-field.tsx';
import type { SignInRefusal } from './use-sign-in.ts';

interface CodeFormProps {
  readonly refusal: SignInRefusal | undefined;
  readonly isBusy: boolean;
  readonly onCode: (code: string) => void;
  readonly onBack: () => void;
}

/** The contract's limits. */
const minCodeChars = 6;
const maxCodeChars = 40;

export function CodeForm({ refusal, isBusy, onCode, onBack }: CodeFormProps): ReactNode {
  const [isMistyped, setMistyped] = useState(false);
  const field = useRef<HTMLInputElement>(null);

  // Also when the form appears: it is the answer to what was just sent.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each refusal leads back to the field.
  useEffect(() => {
    field.current?.select();
    field.current?.focus();
  }, [refusal]);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const given = new FormData(event.currentTarget).get('code');
    const code = typeof given === 'string' ? given.trim() : '';
    const isCode = code.length >= minCodeChars && code.length <= maxCodeChars;
    setMistyped(!isCode);
    if (isCode) onCode(code);
    else field.current?.select();
  }

  return (
    <form className="sign-in-form" noValidate onSubmit={submit}>
      <TextField
        ref={field}
        label="One-time code"
        name="code"
        autoComplete="one-time-code"
        maxLength={maxCodeChars}
        note="Six digits that your authenticator shows, or one of your recovery codes."
        problem={isMistyped ? 'A code has six digits; a recovery code is longer.' : refusal?.words}
      />
      <div className="sign-in-buttons">
        <button type="submit" className="button" data-kind="primary" disabled={isBusy}>
          Sign in
        </button>
        <button type="button" className="button" onClick={onBack}>
          Back
        </button>
      </div>
    </form>
  );
}
