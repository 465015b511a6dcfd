(function_definition name: (word) @name) @function
(command name: (command_name (word) @_call) argument: (_) (#match? @_call "^([.]|source)$")) @import
