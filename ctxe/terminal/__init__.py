"""The screen: events, tables and questions drawn for a person, or as plain text where there is no terminal.

What other packages call:

  screen.detect(stdin, out, err, environ) -> Screen    where to draw: streams, width, colour, alphabet
  tables.table, pages.budget.ledger_view               listings as text; ``Screen.say`` prints them
  render.Renderer                                      ``show(event)`` for everything a session does
  input.prompt.Prompt                                  ``read() -> str | Left``, the input line
  input.ask.Asker                                      ``(Action, Ask) -> Answer``, the approval question
  progress.progress                                    progress of long work on standard error
  input.interrupt.play, .handling_interrupts           Ctrl-C, and restoring the terminal's modes
  streams.end_quietly                                  broken pipes, full disks and closed streams

Text from outside (models, tools, files, errors) may be passed in raw: everything drawn passes
``safety.display.visible``, and only this package writes control sequences.
"""
