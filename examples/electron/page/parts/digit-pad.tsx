const keys = [
  ['1', ''],
  ['2', 'ABC'],
  ['3', 'DEF'],
  ['4', 'GHI'],
  ['5', 'JKL'],
  ['6', 'MNO'],
  ['7', 'PQRS'],
  ['8', 'TUV'],
  ['9', 'WXYZ'],
  ['*', ''],
  ['0', '+'],
  ['#', ''],
] as const

const spoken: Record<string, string> = { '*': 'star', '#': 'pound' }

export function DigitPad({ label, press }: { label: string; press: (digit: string) => void }) {
  return (
    <div className="digit-pad" role="group" aria-label={label}>
      {keys.map(([digit, letters]) => (
        <button key={digit} type="button" aria-label={spoken[digit] ?? digit} onClick={() => press(digit)}>
          {digit}
          <small aria-hidden="true">{letters}</small>
        </button>
      ))}
    </div>
  )
}
