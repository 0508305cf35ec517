// A field with its label, a word of help and what is wrong with it, each told to screen readers with it.

import { type ComponentProps, type ReactNode, useId } from 'react';
import './text-field.css';

interface TextFieldProps extends ComponentProps<'input'> {
  readonly label: string;
  readonly note?: ReactNode;
  /** Said beside the field, and at once. */
  readonly problem?: string | undefined;
  /** Id of something else on the page that tells what is wrong. */
  readonly problemId?: string | undefined;
}

export function TextField({ label, note, problem, problemId, ...input }: TextFieldProps): ReactNode {
  const id = useId();
  const ids = [note === undefined ? undefined : `${id}-note`, problem === undefined ? problemId : `${id}-problem`];
  return (
    <div className="text-field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        spellCheck={false}
        autoCapitalize="none"
        aria-describedby={ids.filter((each) => each !== undefined).join(' ') || undefined}
        aria-invalid={problem !== undefined || problemId !== undefined}
        {...input}
      />
      {note === undefined ? null : (
        <p id={`${id}-note`} className="text-field-note">
          {note}
        </p>
      )}
      <p id={`${id}-problem`} role="alert" className="text-field-problem">
        {problem}
      </p>
    </div>
  );
}
