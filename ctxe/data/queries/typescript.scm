(class_declaration name: (type_identifier) @name) @class
(abstract_class_declaration name: (type_identifier) @name) @class
(interface_declaration name: (type_identifier) @name) @interface
(type_alias_declaration name: (type_identifier) @name) @type
(enum_declaration name: (identifier) @name) @enum
(internal_module name: (identifier) @name) @module
(module name: (identifier) @name) @module
(public_field_definition name: (property_identifier) @name value: (arrow_function)) @method
(abstract_method_signature name: (property_identifier) @name) @method
(function_signature name: (identifier) @name) @function
(program (lexical_declaration (variable_declarator name: (identifier) @name value: [(as_expression) (satisfies_expression)]) @constant))
(export_statement (lexical_declaration (variable_declarator name: (identifier) @name value: [(as_expression) (satisfies_expression)]) @constant))
