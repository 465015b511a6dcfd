(class_declaration name: (identifier) @name) @class
(field_definition property: (property_identifier) @name value: (arrow_function)) @method
